"""From a shop's tables to the folder that `training.dataset` describes: checked, pseudonymised, split, examples."""
