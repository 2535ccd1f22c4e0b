// Enrolment with two limits, by a decision that depends on the events of a course and those of a student, and on no others.
// `../consistency/course-enrolment.ts` does the same without this package.
import { decisionHandler, type EventOf } from '@esdb-gater/app';
import type { Gater } from '@esdb-gater/client';

const MAX_COURSES = 3;

export type CourseEvent = EventOf<{
  course_offered: { readonly course: string; readonly seats: number };
  student_enrolled: { readonly course: string; readonly student: string };
  student_left: { readonly course: string; readonly student: string };
}>;

export interface Enrol {
  readonly course: string;
  readonly student: string;
}

interface State {
  readonly seats: ReadonlyMap<string, number>;
  /** `course student`, of those who are enrolled. */
  readonly enrolled: ReadonlySet<string>;
}

export function enrolment(gater: Gater<CourseEvent>) {
  return decisionHandler({
    gater,
    query: ({ course, student }: Enrol) => ({
      items: [
        { tags: [`course:${course}`] },
        { types: ['student_enrolled', 'student_left'], tags: [`student:${student}`] },
      ],
    }),
    streamId: ({ course }) => `course-${course}`,
    initialState: (): State => ({ seats: new Map(), enrolled: new Set() }),
    evolve({ seats, enrolled }, { type, data }): State {
      if (type === 'course_offered') return { seats: new Map(seats).set(data.course, data.seats), enrolled };
      const key = `${data.course} ${data.student}`;
      const others = [...enrolled].filter((one) => one !== key);
      return { seats, enrolled: new Set(type === 'student_enrolled' ? [...others, key] : others) };
    },
    decide({ course, student }, { seats, enrolled }) {
      const capacity = seats.get(course);
      if (capacity === undefined) throw new Error('no such course');
      if (enrolled.has(`${course} ${student}`)) return [];
      const members = [...enrolled];
      if (members.filter((one) => one.startsWith(`${course} `)).length >= capacity)
        throw new Error('course full');
      if (members.filter((one) => one.endsWith(` ${student}`)).length >= MAX_COURSES) {
        throw new Error('too many courses');
      }
      const tags = [`course:${course}`, `student:${student}`];
      return { type: 'student_enrolled', data: { course, student }, tags };
    },
  });
}
