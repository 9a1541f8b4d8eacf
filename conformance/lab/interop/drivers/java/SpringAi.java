import org.springframework.ai.ollama.api.OllamaApi;
import org.springframework.ai.ollama.api.OllamaApi.PullModelRequest;
import tools.jackson.databind.json.JsonMapper;

/** Pulls a model with the client of Spring AI, without a Spring application around it. */
public class SpringAi {
  public static void main(String[] args) {
    Command.setUp();
    JsonMapper json = new JsonMapper();
    OllamaApi api = OllamaApi.builder().baseUrl(System.getenv("OLLAMA_HOST")).build();
    api.pullModel(new PullModelRequest(args[args.length - 1]))
        .doOnNext(update -> System.out.println(json.writeValueAsString(update)))
        .blockLast();
  }
}
