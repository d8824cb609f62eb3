"""What of a query, a history and a product a learned ranker reads, alike in training and in service: numpy alone."""
