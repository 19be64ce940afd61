"""A provider: offers its node, negotiates, signs, runs activities, sends debit notes and invoices."""
