import type { ComponentChildren, JSX, Key } from 'preact';

/** A column of a table: its heading, and what stands in a row's cell. */
export interface Column<Row> {
  readonly label: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Classes of the heading and the cells. */
  readonly class?: string;
  /** Further classes of a cell, by what stands in its row. */
  readonly cellClass?: (row: Row) => string | undefined;
  /** The text that a pointer over the cell shows. */
  readonly hint?: (row: Row) => string;
}

/**
 * A table of rows, one line each. On a narrow screen every row becomes a block with the headings beside its values,
 * unless `stacking` is false.
 */
export function Table<Row>({
  columns,
  rows,
  rowKey,
  stacking = true,
}: {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => Key;
  readonly stacking?: boolean;
}): JSX.Element {
  return (
    <div class="table-box">
      <table class={stacking ? 'stacking' : ''}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col" key={column.label} class={column.class}>
                {column.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map((column) => (
                <td
                  key={column.label}
                  data-label={column.label}
                  class={classes(column.class, column.cellClass?.(row))}
                  title={column.hint?.(row)}
                >
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function classes(...names: readonly (string | undefined)[]): string | undefined {
  return names.filter((name) => name !== undefined).join(' ') || undefined;
}
