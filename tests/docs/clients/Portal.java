import java.net.URI;
import java.net.http.*;

/** The client under test in the example of docs/testing.md. */
class Portal {
    static final String SPACE = "http://www.superoffice.net/ws/crm/NetServer/Services88";

    static void changePassword(String url, String name, String old, String changed)
            throws Exception {
        var signedIn = call(url + "/SoPrincipal.svc", "", "<AuthenticateUsernamePassword><UserName>"
            + name + "</UserName><Password>" + old + "</Password></AuthenticateUsernamePassword>");
        var ticket = signedIn.replaceAll("(?s).*<(\\w+:)?Ticket>([^<]+)<.*", "$2");
        call(url + "/User.svc", "<Credentials><Ticket>" + ticket + "</Ticket></Credentials>",
            "<ChangeOwnPassword><OldPassword>" + old + "</OldPassword><NewPassword>" + changed
            + "</NewPassword></ChangeOwnPassword>");
    }

    static String call(String url, String header, String body) throws Exception {
        var envelope = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\""
            + SPACE + "\"><s:Header>" + header + "</s:Header><s:Body>" + body
            + "</s:Body></s:Envelope>";
        var request = HttpRequest.newBuilder(URI.create(url))
            .header("Content-Type", "text/xml; charset=utf-8")
            .POST(HttpRequest.BodyPublishers.ofString(envelope)).build();
        return HttpClient.newHttpClient()
            .send(request, HttpResponse.BodyHandlers.ofString()).body();
    }
}
