"""Several replicas of one object, and calls spread over them."""
