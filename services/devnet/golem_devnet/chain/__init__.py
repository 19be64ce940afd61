"""The local chain: anvil with a GLM token, which pays every new wallet its start money once."""
