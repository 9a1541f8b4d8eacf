import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.quarkiverse.langchain4j.deployment.devservice.OllamaClient;
import io.quarkiverse.langchain4j.deployment.devservice.OllamaClient.PullAsyncLine;
import io.smallrye.mutiny.Multi;
import java.io.PrintStream;
import java.net.URI;

/** Pulls a model as the dev services of Quarkus do when an application starts. */
public class QuarkusDevServices {
  public static void main(String[] args) throws Exception {
    // The encoding is that of the locale, which may know few characters.
    PrintStream updates = new PrintStream(System.out, true, UTF_8);
    System.setErr(new PrintStream(System.err, true, UTF_8));

    ObjectMapper json = new ObjectMapper();
    URI host = URI.create(System.getenv("OLLAMA_HOST"));
    OllamaClient client =
        OllamaClient.create(new OllamaClient.Options(host.getHost(), host.getPort()));
    Multi<PullAsyncLine> lines =
        Multi.createFrom().publisher(client.pullAsync(args[args.length - 1]));
    for (PullAsyncLine line : lines.subscribe().asIterable()) {
      updates.println(json.writeValueAsString(line));
    }
  }
}
