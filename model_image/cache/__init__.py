"""The registry cache of a site: holds what the channel names, verified, and serves it while AWS is out of reach.

`shelf` is the volume, `mirror` keeps it like the registry, `app` hands it on. Run as `python -m model_image.cache`.
"""
