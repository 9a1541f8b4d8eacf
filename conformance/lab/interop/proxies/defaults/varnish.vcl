# As the package has it, with the address of the server.

vcl 4.1;

backend default {
    .host = "127.0.0.1";
    .port = "11434";
}
