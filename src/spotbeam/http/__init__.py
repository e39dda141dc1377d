"""What the record asks of a network: witnesses, mirrors, logs and edges, as clients and servers."""
