"""What to do about servers that did not all get ready."""


def explanation(*, image: str, gpus: int, at: str, before: bool) -> str:
    """The settings and the ways out for the Deployment `at` <namespace>/<name>: pods with `image` and `gpus` each.

    `before` says whether there were servers already, which a roll-out that gets stuck leaves in place.
    """
    namespace, _, deployment = at.partition("/")
    ways = [
        f"It is ErrImagePull or ImagePullBackOff: its image is {image}; if no such image is there, set "
        "hybrid-serving:image.digest to one that is; if it is, the nodes may not pull it: hybrid-serving:image",
        f"It runs and is not ready: `kubectl -n {namespace} logs deployment/{deployment}` says why",
        f"Else: `kubectl -n {namespace} describe pods`",
    ]
    if gpus:
        ways.insert(
            0,
            f"It is Pending for nvidia.com/gpu: hybrid-serving:serving.gpus is {gpus}, and no node has as many free; "
            "`kubectl get nodes -o custom-columns=NODE:.metadata.name,GPUS:.status.allocatable.nvidia\\\\.com/gpu` "
            "lists them (none: the NVIDIA device plugin does not run there); 0 serves from CPUs",
        )
    head = f"a new pod of the servers {at} did not get ready"
    if before:
        head += "; those before it go on answering. Set the old value again and run `pulumi up` to end the roll-out, or"
    else:
        head += ":"
    return f"{head} mend what holds the pod up:\n" + "\n".join(f"  - {way}" for way in ways)
