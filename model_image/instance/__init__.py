"""The agent on an EC2 instance, beside the server: tells its auto scaling group and CloudWatch how the instance is."""
