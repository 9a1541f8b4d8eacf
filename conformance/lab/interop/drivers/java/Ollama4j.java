import io.github.ollama4j.Ollama;
import io.github.ollama4j.exceptions.OllamaException;

/** Pulls a model with Ollama4j, which tells its user how a pull has ended, and nothing before. */
public class Ollama4j {
  public static void main(String[] args) throws OllamaException {
    Command.setUp();
    new Ollama(System.getenv("OLLAMA_HOST")).pullModel(args[args.length - 1]);
  }
}
