"""Components of the AWS site."""
