"""What authors do with a model besides serving it: asking it, checking its folder, starting one, describing it."""
