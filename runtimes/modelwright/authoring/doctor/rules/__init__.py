"""The rules, a module for each style and for what every style shares."""
