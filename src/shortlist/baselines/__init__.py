"""The recommenders that every other has to beat, behind one protocol."""
