import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintStream;
import java.util.Objects;
import java.util.stream.Stream;

/** Makes a program the kind of command that the drivers are. */
class Command {
  /** To be called by the thread that pulls, which ends the command by ending or by throwing. */
  static void setUp() {
    // Their encoding is that of the locale, which may know few characters.
    System.setOut(new PrintStream(System.out, true, UTF_8));
    System.setErr(new PrintStream(System.err, true, UTF_8));

    Thread puller = Thread.currentThread();
    puller.setUncaughtExceptionHandler((thread, exception) -> printReason(exception));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> cancel(puller)));
  }

  private static void printReason(Throwable exception) {
    // Some say again what their cause has said.
    Stream.iterate(exception, Objects::nonNull, Throwable::getCause)
        .map(Throwable::toString)
        .distinct()
        .forEach(System.err::println);
  }

  /** Cancels what a thread does as Java has it, by an interrupt. */
  private static void cancel(Thread puller) {
    puller.interrupt();
    try {
      // Who passes over it ends with the program, as at any Ctrl-C.
      puller.join(1_000);
    } catch (InterruptedException exception) {
      throw new IllegalStateException(exception);
    }
  }
}
