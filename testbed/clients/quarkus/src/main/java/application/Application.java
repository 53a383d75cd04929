package application;

import io.agroal.api.AgroalDataSource;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.annotations.QuarkusMain;
import jakarta.inject.Inject;

/** Asks the database of a mounted Secret who is there. Nothing here says where that is: Quarkus reads the Secret. */
@QuarkusMain
public class Application implements QuarkusApplication {
    @Inject
    AgroalDataSource database;

    @Override
    public int run(String... arguments) throws Exception {
        try (var connection = database.getConnection();
                var rows = connection.createStatement().executeQuery(System.getenv("QUESTION"))) {
            rows.next();
            System.out.println(rows.getString(1));
        }
        return 0;
    }
}
