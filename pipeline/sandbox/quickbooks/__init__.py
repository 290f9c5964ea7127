"""The local QuickBooks Online: Intuit's v3 API and its OAuth, over one invented company."""
