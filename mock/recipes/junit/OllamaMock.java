import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A mock of Ollama, one per test class. It is reset before each test. */
class OllamaMock implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback {
  private static final String COMMAND =
      "npx --yes @ollama-pull/kit mock --json --control --port 0 --rate unlimited";

  private final HttpClient http = HttpClient.newHttpClient();
  private final ObjectMapper json = new ObjectMapper();
  private Process process;
  private JsonNode started;

  @Override
  public void beforeAll(ExtensionContext context) throws IOException {
    process = new ProcessBuilder(COMMAND.split(" ")).redirectError(Redirect.INHERIT).start();
    started = json.readTree(process.inputReader().readLine());
  }

  @Override
  public void beforeEach(ExtensionContext context) throws IOException, InterruptedException {
    control("POST", "/reset", "");
  }

  @Override
  public void afterAll(ExtensionContext context) {
    process.destroy(); // also closes its standard input, and then the mock ends
  }

  String url() {
    return started.get("url").asText();
  }

  /** Sends a request to the control interface. */
  JsonNode control(String method, String path, String body)
      throws IOException, InterruptedException {
    var address = URI.create(started.get("control").asText() + path);
    var request = HttpRequest.newBuilder(address).method(method, BodyPublishers.ofString(body));
    var response = http.send(request.build(), BodyHandlers.ofString());
    if (response.statusCode() >= 400) {
      throw new IOException(response.body());
    }
    return json.readTree(response.body());
  }
}
