"""How a figure is made: the house's style, pages of panels, and the figures that a single cell has, too."""
