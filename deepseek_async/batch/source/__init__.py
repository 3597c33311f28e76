"""Where rows come from: lines, items, and the row that each becomes."""
