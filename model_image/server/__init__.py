"""The server of the image: routes over a scheduler over a backend, answering from the release its channel names."""
