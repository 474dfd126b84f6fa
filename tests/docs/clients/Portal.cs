using System.Linq;
using System.Net.Http;
using System.Text;
using System.Threading.Tasks;
using System.Xml.Linq;

/// <summary>The client under test in the example of docs/testing.md.</summary>
static class Portal
{
    static readonly XNamespace Soap = "http://schemas.xmlsoap.org/soap/envelope/";
    static readonly XNamespace Space = "http://www.superoffice.net/ws/crm/NetServer/Services88";

    public static async Task ChangePassword(string url, string name, string old, string changed)
    {
        var signedIn = await Call($"{url}/SoPrincipal.svc", null, new XElement(
            Space + "AuthenticateUsernamePassword",
            new XElement(Space + "UserName", name), new XElement(Space + "Password", old)));
        var ticket = signedIn.Descendants(Space + "Ticket").Single().Value;
        await Call($"{url}/User.svc", ticket, new XElement(
            Space + "ChangeOwnPassword",
            new XElement(Space + "OldPassword", old), new XElement(Space + "NewPassword", changed)));
    }

    static async Task<XElement> Call(string url, string ticket, XElement body)
    {
        var header = ticket == null
            ? null
            : new XElement(Space + "Credentials", new XElement(Space + "Ticket", ticket));
        var envelope = new XElement(Soap + "Envelope",
            new XElement(Soap + "Header", header), new XElement(Soap + "Body", body));
        var content = new StringContent(envelope.ToString(), Encoding.UTF8, "text/xml");
        var reply = await new HttpClient().PostAsync(url, content);
        return XElement.Parse(await reply.Content.ReadAsStringAsync());
    }
}
