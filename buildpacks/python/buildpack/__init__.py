"""The logic behind `bin/detect` and `bin/build`: standard library only, because it runs on the bare build image."""
