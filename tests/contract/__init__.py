"""What every GolemPort has to do: asked of the memory Golem always; of a real yagna when an appliance is up
(RAY_ON_GOLEM_APPLIANCE=up, as in ``make test``) or the environment names one:

RAY_ON_GOLEM_YAGNA_URL            http://127.0.0.1:7465
RAY_ON_GOLEM_YAGNA_APPKEY_FILE    file with the app-key
RAY_ON_GOLEM_SUBNET               subnet with an honest provider (default: devnet)
RAY_ON_GOLEM_IMAGE                task package its providers know
RAY_ON_GOLEM_SUBNET_REFUSING, _SILENT, _DECLINING    subnets whose providers refuse agreements, never answer to
                                  them, decline proposals; what is not named is not asked
"""
