"""Who may be served: terminals, rules, policy, verdict."""
