"""Components that split the service's name between the sites."""
