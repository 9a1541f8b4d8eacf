import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.ollama4j.Ollama;
import io.github.ollama4j.exceptions.OllamaException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Tests code that pulls models with Ollama4j ({@code io.github.ollama4j:ollama4j}). */
class PullTest {
  @RegisterExtension static final OllamaMock mock = new OllamaMock();

  @Test
  void fullDiskIsReported() throws Exception {
    mock.control("POST", "/faults", "\"disk-full@50%,times=1\"");
    var ollama = new Ollama(mock.url());

    var failure = assertThrows(OllamaException.class, () -> ollama.pullModel("llama3.2"));
    ollama.pullModel("llama3.2"); // throws unless it ends in success

    var message = failure.getMessage();
    assertTrue(message.contains("no space left on device"), message);
    var log = mock.control("GET", "/requests?path=/api/pull", "");
    assertEquals(List.of("faulted", "finished"), log.findValuesAsText("outcome"));
  }
}
