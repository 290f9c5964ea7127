"""The pipeline's plain Python: clients, warehouse, rules, matching, ledger, delivery."""
