"""The part of cosmos-curate that models are written against."""
