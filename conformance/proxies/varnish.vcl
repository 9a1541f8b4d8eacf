# Varnish in front of Ollama, so that a pull goes through as the server sends it: each line at once, an
# hour of silence, and the end when either side leaves. Its place is /etc/varnish/default.vcl.

vcl 4.1;

backend ollama {
    .host = "127.0.0.1";
    .port = "11434";

    # Nothing is sent while a large layer is verified, nor for all of a pull with "stream": false. The
    # default of both is 60 seconds.
    .first_byte_timeout = 1h;
    .between_bytes_timeout = 1h;
}

sub vcl_recv {
    # Nothing that Ollama says is true for long: the list of models changes with every pull.
    return (pass);
}

sub vcl_backend_fetch {
    # Ollama on a loopback address answers 403 to names that are not those of its own machine.
    set bereq.http.Host = "localhost:11434";

    # Each request has a connection of its own to Ollama. One that Ollama has closed in the meantime would
    # fail a request that is sent on it, and a POST is not sent twice.
    set bereq.http.Connection = "close";
}

sub vcl_backend_response {
    # Send each line as it comes. This is the default; without, the client gets all at the end.
    set beresp.do_stream = true;

    # A few hundred bytes a second are not worth compressing. This, too, is the default.
    set beresp.do_gzip = false;

    # Varnish sees that a client has left when it sends it the next line, and then ends the request to
    # Ollama. During silence it does not look: a pull with "stream": false goes on to its end.
}
