"""What can be made of log probabilities: words, columns, a page to look at."""
