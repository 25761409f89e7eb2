"""Where question/SQL pairs come from: the course, a benchmark, a folder of one's own."""
