/** Statements of both rule SQLs: `statement` is Alibaba's, `awsStatement` and `awsExpression` are AWS's. The typed tree is built while they are read. */
import { type ParserMethod, tokenMatcher } from "chevrotain";
import type { Expression, SelectItem, Statement } from "./ast.ts";
import { OperatorParser } from "./operator-parser.ts";
import { positionOf, textBetween, unquoteName, unquoteText } from "./token-texts.ts";
import * as t from "./tokens.ts";

export class SqlParser extends OperatorParser {
  constructor() {
    super();
    // After the rules of every part are there.
    this.performSelfAnalysis();
  }

  readonly statement: ParserMethod<[], Statement> = this.RULE("statement", () => {
    const items: SelectItem[] = [];
    this.CONSUME(t.Select);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => {
        const item = this.SUBRULE(this.selectItem);
        this.ACTION(() => items.push(item));
      },
    });
    this.CONSUME(t.From);
    const topic = this.OR([{ ALT: () => this.CONSUME(t.Quoted) }, { ALT: () => this.CONSUME(t.Text) }]);
    const where = this.OPTION(() => {
      this.CONSUME(t.Where);
      return this.SUBRULE(this.expression);
    });
    this.OPTION1(() => this.CONSUME(t.Semicolon));
    return this.ACTION(() => ({
      items,
      isValue: false,
      topic: tokenMatcher(topic, t.Quoted) ? unquoteName(topic.image) : unquoteText(topic.image),
      topicAt: positionOf(topic),
      where,
    }));
  });

  readonly awsStatement: ParserMethod<[], Statement> = this.RULE("awsStatement", () => {
    const items: SelectItem[] = [];
    const start = this.CONSUME(t.Select);
    const isValue = this.SUBRULE(this.valueWord);
    this.AT_LEAST_ONE_SEP({
      SEP: t.Comma,
      DEF: () => {
        const item = this.SUBRULE(this.selectItem);
        this.ACTION(() => items.push(item));
      },
    });
    const topic = this.OPTION(() => {
      this.CONSUME(t.From);
      return this.OR([{ ALT: () => this.CONSUME(t.Text) }, { ALT: () => this.CONSUME(t.Quoted) }]);
    });
    const where = this.OPTION1(() => {
      this.CONSUME(t.Where);
      return this.SUBRULE(this.expression);
    });
    this.OPTION2(() => this.CONSUME(t.Semicolon));
    return this.ACTION(() => ({
      items,
      isValue,
      topic: topic && (tokenMatcher(topic, t.Quoted) ? unquoteName(topic.image) : unquoteText(topic.image)),
      topicAt: positionOf(topic ?? start),
      where,
    }));
  });

  /** What stands in `${…}` [aws-iot 14.4]. */
  readonly awsExpression: ParserMethod<[], Expression> = this.RULE("awsExpression", () => this.SUBRULE(this.expression));

  protected readonly selectItem: ParserMethod<[], SelectItem> = this.RULE("selectItem", () => {
    const first = this.LA(1);
    const value = this.OR([
      {
        ALT: (): "*" => {
          this.CONSUME(t.Star);
          return "*";
        },
      },
      { ALT: () => this.SUBRULE(this.expression) },
    ]);
    const last = this.LA(0);
    const text = this.ACTION(() => textBetween(this.input, first, last));
    const alias = this.OPTION(() =>
      this.OR1([
        {
          ALT: () => {
            this.CONSUME(t.As);
            return this.OR2([{ ALT: () => this.CONSUME(t.Word) }, { ALT: () => this.CONSUME1(t.Quoted) }]);
          },
        },
        { GATE: () => !this.isAws, ALT: () => this.CONSUME2(t.Path) },
        { GATE: () => !this.isAws, ALT: () => this.CONSUME2(t.Quoted) },
      ]),
    );
    return this.ACTION(() => ({
      value,
      alias: alias === undefined ? undefined : tokenMatcher(alias, t.Quoted) ? unquoteName(alias.image) : alias.image,
      at: positionOf(first),
      text,
    }));
  });
}
