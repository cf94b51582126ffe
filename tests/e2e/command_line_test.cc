// What is wrong with a command line is said at once, with the option's name and an exit code above 100:
// nothing of it is dropped, and nothing was done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/processes.h"

namespace qinglan::e2e {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::Lt;
using ::testing::StartsWith;

class CommandLine : public testing::Test {
 protected:
  // Fails unless these arguments are refused with `named` in what is said.
  void ExpectRefused(const std::vector<std::string>& arguments, const std::string& named) {
    std::string line;
    for (const std::string& argument : arguments) line += argument + " ";
    SCOPED_TRACE(line);
    const Finished finished = installation_.Run(arguments);
    EXPECT_THAT(finished.exit_code, AllOf(Ge(100), Lt(128))) << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr(named));
  }

  std::string In(const std::string& option, const std::string& name) const {
    return option + "=" + installation_.In(name);
  }

  Installation installation_;
};

TEST_F(CommandLine, ARestoreTakesOneSourceAndOneEnd) {
  const std::string data = In("--data", "restored");
  const std::string from = In("--from", "backups");
  const std::string stream = In("--stream", "stream");
  ExpectRefused({"restore", data}, "--from or --stream");
  ExpectRefused({"restore", data, from, stream}, "--from excludes --stream");
  for (const std::string option :
       {"--generation=1", "--to-position=1", "--to-instant=2026-11-25T10:00:00+08:00"})
    ExpectRefused({"restore", data, stream, option},
                  option.substr(0, option.find('=')) + " excludes --stream");
  for (const std::string option : {"--generation=-1", "--generation=0", "--to-position=-1", "--to-position=0",
                                   "--to-position=1x", "--to-position=18446744073709551616"})
    ExpectRefused({"restore", data, from, option}, option.substr(0, option.find('=')) + ": " +
                                                       option.substr(option.find('=') + 1) +
                                                       " is no whole number from 1");
  ExpectRefused({"restore", data, from, "--to-instant=yesterday"}, "--to-instant: yesterday: no instant");
  ExpectRefused({"verify-backup"}, "--from");
  ExpectRefused({"verify-backup", from, "--generation=-1"}, "--generation: -1 is no whole number");
  EXPECT_FALSE(std::filesystem::exists(installation_.In("restored")));
}

TEST_F(CommandLine, ABackupIsAServersOrOfDataAndDropsNoOption) {
  const std::string data = In("--data", "data");
  const std::string to = In("--to", "backups");
  const std::vector<std::string> server = {"backup", "--server=127.0.0.1:1",
                                           In("--token-file", "operator.token")};
  ExpectRefused({"backup"}, "--server or --data");
  ExpectRefused({"backup", "--server=127.0.0.1:1"}, "--server requires --token-file");
  ExpectRefused({"backup", In("--token-file", "operator.token"), data, to}, "--token-file requires --server");
  ExpectRefused({"backup", data}, "--to or --stream");
  ExpectRefused({"backup", data, to, "--stream=-"}, "--to excludes --stream");
  ExpectRefused({"backup", to}, "--to requires --data");
  ExpectRefused({"backup", data, to, In("--keys-dir", "missing")}, "--keys-dir: Directory does not exist");
  for (const std::string& option : {data, to, std::string("--stream=-"), In("--keys-dir", "keys")}) {
    std::vector<std::string> both = server;
    both.push_back(option);
    ExpectRefused(both, option.substr(0, option.find('=')));
  }
  for (const std::string option : {"--keep=1", "--no-trial", "--diverged", "--megabytes-per-second=1"})
    ExpectRefused({"backup", data, "--stream=-", option},
                  option.substr(0, option.find('=')) + " excludes --stream");
  for (const std::string option : {"--keep=-1", "--keep=0", "--keep=1001", "--megabytes-per-second=-1"})
    ExpectRefused({"backup", data, to, option}, option.substr(0, option.find('=')) + ": ");
  EXPECT_FALSE(std::filesystem::exists(installation_.In("backups")));
}

// As of a shell's variable that is not set.
TEST_F(CommandLine, AnEmptyValueIsNamedAndTakesNothingForItself) {
  const std::string data = In("--data", "data");
  ExpectRefused({"backup", data, "--to=", "--no-trial"}, "--to: its value is empty");
  ExpectRefused({"backup", data, "--to", "", "--no-trial"}, "--to: its value is empty");
  ExpectRefused({"backup", "list", "--from="}, "--from: its value is empty");
  ExpectRefused({"serve", data, In("--keys", "keys/jwks.json"), "--backups="},
                "--backups: its value is empty");
  ExpectRefused({"fsck", ""}, "an argument is empty");
}

// Whoever watches the backups goes by the exit code.
TEST_F(CommandLine, AListOfBackupsThatAreNotThereIsNoEmptyList) {
  const Finished missing = installation_.Run({"backup", "list", In("--from", "typo")});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.errors, AllOf(HasSubstr("typo"), HasSubstr("No such file or directory")));
  EXPECT_EQ(installation_.Run({"backup", "list", In("--from", "master.key")}).exit_code, 1) << "a file";
  std::filesystem::create_directory(installation_.In("backups"));
  const Finished none = installation_.Run({"backup", "list", "--lang=en", In("--from", "backups")});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.output, HasSubstr("There is no backup yet"));
}

TEST_F(CommandLine, AServerKnowsItsTimeZoneAndTellsItsPort) {
  ExpectRefused({"serve", In("--data", "data"), In("--keys", "keys/jwks.json"), "--time-zone=Mars/X"},
                "--time-zone: Mars/X is no time zone");
  const Finished help = installation_.Run({"serve", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("=7410"));
}

TEST_F(CommandLine, AnUnknownSubcommandIsNamedAndTheVersionTold) {
  ExpectRefused({"foo"}, "qinglan: there is no subcommand foo");
  ExpectRefused({"view", "list"}, "qinglan: there is no subcommand view");
  ExpectRefused({"views", "lst"}, "views: there is no subcommand lst");
  ExpectRefused({"backup", "lst"}, "backup: there is no subcommand lst");
  ExpectRefused({}, "subcommand");
  const Finished version = installation_.Run({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_THAT(version.output, StartsWith("qinglan "));
}

}  // namespace
}  // namespace qinglan::e2e
