package application;

import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.jdbc.core.JdbcTemplate;

/** Asks the database of a mounted Secret who is there. Nothing here says where that is: Spring Cloud Bindings reads the Secret. */
@SpringBootApplication
public class Application {
    public static void main(String[] arguments) {
        SpringApplication.run(Application.class, arguments);
    }

    @Bean
    CommandLineRunner ask(JdbcTemplate database) {
        return arguments -> System.out.println(database.queryForObject(System.getenv("QUESTION"), String.class));
    }
}
