"""Functions as tools: described for the model, called with what it asks for, answered to it."""
