// What the example takes of xUnit, which Debian does not have, and a runner of its one test.
using System;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

namespace Xunit
{
    public class FactAttribute : Attribute { }

    public interface IAsyncLifetime
    {
        Task InitializeAsync();
        Task DisposeAsync();
    }

    public static class Assert
    {
        public static void Contains(string expected, string actual)
        {
            if (!actual.Contains(expected)) throw new Exception($"no {expected} in {actual}");
        }
    }

    static class Runner
    {
        static void Main() => Run().GetAwaiter().GetResult();

        static async Task Run()
        {
            var test = new PortalTest();
            var fact = typeof(PortalTest).GetMethods()
                .Single(one => one.GetCustomAttribute<FactAttribute>() != null);
            await test.InitializeAsync();
            try { await (Task)fact.Invoke(test, null); }
            finally { await test.DisposeAsync(); }
            Console.WriteLine("ok");
        }
    }
}
