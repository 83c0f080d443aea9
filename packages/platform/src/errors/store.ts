import type { ErrorTable } from "./platform-error.ts";

export const storeErrors = {
  "store.unwritable": {
    http: 500,
    en: "The data directory {dataDir} cannot be written: {problem}. Expected a directory that the server's user may create files in.",
    zh: "数据目录 {dataDir} 不可写：{problem}。服务器用户必须有权在该目录中创建文件。",
  },
  "store.locked": {
    http: 503,
    en: "The database {file} is in use by another process. Only one server may run on a data directory: stop the other one first.",
    zh: "数据库 {file} 正被另一个进程使用。一个数据目录只能运行一个服务器，请先停止另一个。",
  },
  "store.damaged": {
    http: 500,
    en: "The database {file} is damaged or is not a database: {problem}. Restore it from a backup, or move it away to start empty.",
    zh: "数据库 {file} 已损坏或不是数据库：{problem}。请从备份恢复，或移走该文件以空库启动。",
  },
  "store.journal_damaged": {
    http: 500,
    en: "The journal {file} is damaged: {problem}. It holds sessions and messages owed to devices. Restore it from a backup, or move it away to start without them.",
    zh: "日志文件 {file} 已损坏：{problem}。其中保存会话和待投递的消息。请从备份恢复，或移走该文件（将丢失这些内容）后启动。",
  },
  "store.journal_not_compacted": {
    http: 500,
    en: "The journal {file} could not forget its oldest part: {records} records in it are still in use. It keeps working and grows.",
    zh: "日志文件 {file} 无法清除最旧部分：其中 {records} 条记录仍在使用。日志继续工作，但会增大。",
  },
  "store.journal_full": {
    http: 507,
    en: "The journal {file} cannot grow: {problem}. Nothing acknowledged is lost; nothing more that must be kept is acknowledged until there is space.",
    zh: "日志文件 {file} 无法增长：{problem}。已确认的内容不会丢失；在有空间之前，不再确认任何需要保存的消息。",
  },
  "store.journal_stopped": {
    http: 500,
    en: "The thread that writes the journal {file} stopped: {problem}. Nothing is acknowledged until another one has taken over.",
    zh: "写入日志文件 {file} 的线程已停止：{problem}。在新线程接管之前不再确认任何消息。",
  },
  "store.journal_lost": {
    http: 500,
    en: "The journal {file} can no longer be written: {problem}. The server ends, because it could not keep what it acknowledges. What was acknowledged is in the file: mend the cause and start again.",
    zh: "日志文件 {file} 已无法写入：{problem}。服务器无法再保证已确认的消息，因此退出。已确认的内容都在该文件中：请排除原因后重新启动。",
  },
  "store.journal_missing": {
    http: 500,
    en: "The journal {file} is not the one this server used before: it is missing, was emptied or replaced. Persistent sessions, retained messages and messages owed to devices are gone, unless the old file is put back while the server is stopped.",
    zh: "日志文件 {file} 不是本服务器之前使用的文件：它已丢失、被清空或被替换。持久会话、保留消息和待投递的消息已不存在；如仍有旧文件，请停止服务器后放回。",
  },
  "store.newer_version": {
    http: 500,
    en: "The database {file} was written by a newer version (migration {migration} is unknown here). Expected a version at least as new.",
    zh: "数据库 {file} 由更新的版本写入（本版本不认识迁移 {migration}）。请使用不低于该版本的程序。",
  },
  "store.migration_failed": {
    http: 500,
    en: "The database {file} could not be brought to this version: {problem}. Nothing was changed.",
    zh: "数据库 {file} 无法升级到本版本：{problem}。未作任何更改。",
  },
  "store.wrong_master_key": {
    http: 500,
    en: "The master key does not open the secrets in {file}. Expected the key this database was created with.",
    zh: "主密钥无法解开 {file} 中的机密。必须使用创建该数据库时的密钥。",
  },
  "store.master_key_missing": {
    http: 500,
    en: "The master key {file} is missing although a database exists beside it. Expected the key this database was created with.",
    zh: "主密钥 {file} 缺失，但同目录下已有数据库。必须恢复创建该数据库时的密钥。",
  },
  "store.master_key_damaged": {
    http: 500,
    en: "The master key {file} is damaged: {received}. Expected a file with 64 hexadecimal digits.",
    zh: "主密钥 {file} 已损坏：{received}。应为包含 64 位十六进制数字的文件。",
  },
  "store.secret_unreadable": {
    http: 500,
    en: "A secret in table {table} (row {row}) cannot be decrypted: it was changed, or moved from another row.",
    zh: "表 {table}（行 {row}）中的机密无法解密：内容被修改，或来自其他行。",
  },
  "store.disk_full": {
    http: 507,
    en: "The database {file} cannot grow: {problem}. Nothing was changed.",
    zh: "数据库 {file} 无法增长：{problem}。未作任何更改。",
  },
  "store.failed": {
    http: 500,
    en: "The database {file} failed: {problem}.",
    zh: "数据库 {file} 出错：{problem}。",
  },
} as const satisfies ErrorTable;
