"""Every rule at its own best: settings found for the same budget, on replicas that no report looks at."""
