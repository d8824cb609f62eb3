"""What the stacks cost: prices with their dates and sources, and arithmetic on them."""
