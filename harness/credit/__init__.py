"""How good a credit is: beside the exact gradient, under interventions, through depth."""
