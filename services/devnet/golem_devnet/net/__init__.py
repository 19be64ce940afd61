"""How daemons, agents and nodes reach one another: the hub, the service bus and the VPN's frames."""
