"""What the artist sees: panels, menus."""
