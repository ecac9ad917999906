// Written by its branch.
