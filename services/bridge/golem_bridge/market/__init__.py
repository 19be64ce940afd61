"""Finding providers: demands, standing subscriptions, prices, choice and negotiation."""
