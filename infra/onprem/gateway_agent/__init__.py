"""What runs in a VPN gateway: it keeps charon and BIRD at the files it is given, and says what each tunnel does.

Standard library only, and no import from outside this package: it is all that the gateway's image holds beside
Debian's packages.
"""
