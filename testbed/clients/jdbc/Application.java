import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.ConsoleHandler;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Asks the database of a mounted Secret who is there, through JDBC and HikariCP. */
final class Application {
    public static void main(String[] arguments) throws Exception {
        logEverything();
        Path binding = Path.of(System.getenv("SERVICE_BINDING_ROOT"), "orders");
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(Files.readString(binding.resolve("jdbc-url")));
        config.setUsername(Files.readString(binding.resolve("username")));
        config.setPassword(Files.readString(binding.resolve("password")));
        try (var pool = new HikariDataSource(config);
                var connection = pool.getConnection();
                var rows = connection.createStatement().executeQuery(System.getenv("QUESTION"))) {
            rows.next();
            System.out.println(rows.getString(1));
        }
    }

    /** The driver logs through java.util.logging, the pool through SLF4J, which its launcher sets to trace. */
    private static void logEverything() {
        ConsoleHandler everything = new ConsoleHandler();
        everything.setLevel(Level.ALL);
        Logger driver = Logger.getLogger("org.postgresql");
        driver.setLevel(Level.ALL);
        driver.addHandler(everything);
    }
}
