import static java.nio.charset.StandardCharsets.UTF_8;

import io.quarkiverse.langchain4j.deployment.devservice.OllamaClient;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.infrastructure.Infrastructure;
import java.io.PrintStream;
import java.net.URI;

/** Pulls a model as the dev services of Quarkus do when an application starts. */
public class QuarkusDevServices {
  public static void main(String[] args) {
    // Their encoding is that of the locale, which may know few characters.
    System.setOut(new PrintStream(System.out, true, UTF_8));
    System.setErr(new PrintStream(System.err, true, UTF_8));
    // What follows the first failure.
    Infrastructure.setDroppedExceptionHandler(failure -> {});

    URI host = URI.create(System.getenv("OLLAMA_HOST"));
    OllamaClient client =
        OllamaClient.create(new OllamaClient.Options(host.getHost(), host.getPort()));
    try {
      Multi.createFrom().publisher(client.pullAsync(args[args.length - 1])).collect().last()
          .await().indefinitely();
    } catch (RuntimeException failure) {
      System.err.println(failure);
      System.exit(1);
    }
  }
}
