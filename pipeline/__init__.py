"""The pipeline's plain Python: clients, warehouse, rules, matching, ledger, delivery."""

import gc

gc.set_threshold(100_000)  # what is imported stays, and is not looked through again and again
